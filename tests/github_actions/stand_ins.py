"""What the `uses:` steps do on this machine: a checkout, a Python, AWS, artifacts, and attestations."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from github_actions.runner import Place, StepFailed
from scratch import ready_environment

#: The Python that runs the tests, and that `.venv` in a checkout is made with.
CURRENT = f"{sys.version_info.major}.{sys.version_info.minor}"


def checkout(given: Mapping[str, str], place: Place) -> Mapping[str, str]:
    """actions/checkout: the event's commit, as deep as asked."""
    depth = given.get("fetch-depth", "1")
    git(place, "init", "--quiet", "--initial-branch=main")
    git(place, "remote", "add", "origin", place.service.origin.as_uri())
    deep = [] if depth == "0" else [f"--depth={depth}"]
    git(
        place,
        "fetch",
        "--quiet",
        *deep,
        "origin",
        *(["+refs/*:refs/origin/*"] if depth == "0" else []),
        place.event.sha,
    )
    git(place, "checkout", "--quiet", "--detach", place.event.sha)
    ready_environment(place.workspace)
    return {"ref": place.event.ref, "commit": place.event.sha}


def git(place: Place, *arguments: str) -> None:
    done = subprocess.run(["git", *arguments], cwd=place.workspace, capture_output=True, text=True, check=False)
    if done.returncode:
        raise StepFailed(done.stderr)


def setup_python(given: Mapping[str, str], place: Place) -> Mapping[str, str]:
    """actions/setup-python: each version as `python3.N`, the last as `python` and `python3` too, first on the path.

    A machine need not have more than one Python: what asks for one that the whole project runs on gets the one at hand,
    and of several it has those it has. Its cache is pip's own, which is on this machine already.
    """
    *beside, version = given["python-version"].split()
    found = interpreter(version) or (interpreter(CURRENT) if int(version.partition(".")[2]) >= 11 else None)
    if found is None:
        raise StepFailed(f"this machine has no Python {version}")
    folder = place.temp / f"python-{version}"
    folder.mkdir()
    commands = {f"python{other}": interpreter(other) for other in beside}
    for name, program in {**commands, "python": found, "python3": found, f"python{version}": found}.items():
        if program:
            (folder / name).write_text(f'#!/bin/sh\nexec "{program}" "$@"\n')
            (folder / name).chmod(0o755)
    place.path.append(str(folder))
    return {"python-version": version}


def interpreter(version: str) -> Path | None:
    """A Python of this version: the one that runs, pyenv's, or one on the path."""
    if version == CURRENT:
        return Path(getattr(sys, "_base_executable", sys.executable))
    root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    candidates = sorted(root.glob(f"versions/{version}.*/bin/python"))
    on_path = shutil.which(f"python{version}")
    return candidates[-1] if candidates else Path(on_path) if on_path else None


def configure_aws(given: Mapping[str, str], place: Place) -> Mapping[str, str]:
    """aws-actions/configure-aws-credentials: keys of the role, for the token GitHub would give this job."""
    import boto3
    from botocore import UNSIGNED
    from botocore.config import Config
    from botocore.exceptions import ClientError

    if place.permissions.get("id-token") != "write":
        raise StepFailed("the job has no permission id-token: write, so GitHub gives it no token")
    endpoint = place.service.base["AWS_ENDPOINT_URL"]
    sts = boto3.session.Session().client(
        "sts", region_name=given["aws-region"], endpoint_url=endpoint, config=Config(signature_version=UNSIGNED)
    )
    try:
        keys = sts.assume_role_with_web_identity(
            RoleArn=given["role-to-assume"],
            RoleSessionName=given.get("role-session-name", "GitHubActions"),
            WebIdentityToken=token(place),
            DurationSeconds=int(given.get("role-duration-seconds", "3600")),
        )["Credentials"]
    except ClientError as error:
        raise StepFailed(str(error)) from error
    place.variables |= {
        "AWS_REGION": given["aws-region"],
        "AWS_DEFAULT_REGION": given["aws-region"],
        "AWS_ACCESS_KEY_ID": keys["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": keys["SecretAccessKey"],
        "AWS_SESSION_TOKEN": keys["SessionToken"],
    }
    return {}


def token(place: Place) -> str:
    """The OIDC token of a job; the claims that trust policies look at, and no true signature.

    https://docs.github.com/en/actions/reference/security/oidc
    """
    subject = f"environment:{place.environment}" if place.environment else f"ref:{place.event.ref}"
    claims = {
        "iss": "https://token.actions.githubusercontent.com",
        "aud": "sts.amazonaws.com",
        "sub": f"repo:{place.service.subject}:{subject}",
        "repository": place.service.repository,
        "ref": place.event.ref,
    }
    parts: list[dict[str, Any]] = [{"alg": "RS256", "typ": "JWT", "kid": "1"}, claims]
    encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts]
    return ".".join([*encoded, "c2lnbmF0dXJl"])


def upload_artifact(given: Mapping[str, str], place: Place) -> Mapping[str, str]:
    """actions/upload-artifact: a folder, or the files of a pattern below their common one; once by a name in a run."""
    target = place.service.folder / "artifacts" / given["name"]
    source = place.workspace / given["path"]
    if target.exists() and given.get("overwrite") != "true":
        raise StepFailed(f"an artifact with the name {given['name']} is there already")
    shutil.rmtree(target, ignore_errors=True)
    if source.is_dir():
        shutil.copytree(source, target)
        return {}
    files = list(place.workspace.glob(given["path"]))
    if not files and given.get("if-no-files-found") == "error":
        raise StepFailed(f"no files were found with {given['path']}")
    root = Path(os.path.commonpath([file.parent for file in files]))
    for file in files:
        copy = target / file.relative_to(root)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, copy)
    return {}


def download_artifact(given: Mapping[str, str], place: Place) -> Mapping[str, str]:
    """actions/download-artifact: what a job before this one has uploaded in the same run."""
    source = place.service.folder / "artifacts" / given["name"]
    if not source.is_dir():
        raise StepFailed(f"there is no artifact {given['name']}")
    shutil.copytree(source, place.workspace / given["path"], dirs_exist_ok=True)
    return {}


def attest(given: Mapping[str, str], place: Place) -> Mapping[str, str]:
    """actions/attest-build-provenance: what would be signed, kept by the service."""
    for permission in ("id-token", "attestations"):
        if place.permissions.get(permission) != "write":
            raise StepFailed(f"the job has no permission {permission}: write")
    subjects: set[Path] = set()
    for pattern in given["subject-path"].split():
        path = pattern.removeprefix("!")
        matched = set(place.temp.glob(Path(path).relative_to(place.temp).as_posix()))
        subjects = subjects - matched if path != pattern else subjects | matched
    if not subjects:
        raise StepFailed(f"could not find subject at path {given['subject-path']}")
    for file in subjects:
        place.service.attested[file.name] = hashlib.sha256(file.read_bytes()).hexdigest()
    return {}


def _inputs(*names: str, required: tuple[str, ...] = ()) -> dict[str, dict[str, Any]]:
    return {name: {"required": name in required} for name in (*names, *required)}


#: The actions the workflows may use: their inputs (those we use, from each action's action.yml), and what stands in.
ACTIONS = {
    "actions/checkout": (_inputs("fetch-depth", "persist-credentials", "ref"), checkout),
    "actions/setup-python": (
        _inputs("cache", "cache-dependency-path", required=("python-version",)),
        setup_python,
    ),
    "aws-actions/configure-aws-credentials": (
        _inputs("role-session-name", "role-duration-seconds", required=("role-to-assume", "aws-region")),
        configure_aws,
    ),
    "actions/upload-artifact": (
        _inputs("if-no-files-found", "overwrite", "retention-days", required=("name", "path")),
        upload_artifact,
    ),
    "actions/download-artifact": (_inputs(required=("name", "path")), download_artifact),
    "actions/attest-build-provenance": (_inputs(required=("subject-path",)), attest),
}
