"""Glue: jobs run as real processes in environments of their own; the catalog is moto's."""

from __future__ import annotations

from local_cloud.cloud import Cloud

#: The part of the state that holds the runs, in a database of its own; moto's own state of Glue holds the definitions.
RUNS = "glue-runs"


def install(cloud: Cloud) -> None:
    """Patch moto's job runs, keep definitions and runs over a restart, end runs with the server."""
    from local_cloud.processes.environments import Environments
    from local_cloud.processes.packages import Packages
    from local_cloud.services.glue import requests
    from local_cloud.services.glue.jobs import JobRuns
    from local_cloud.services.glue.preparation import Workshop
    from local_cloud.services.glue.records import Records

    cache = cloud.settings.state_dir / "cache"
    workshop = Workshop(
        cloud=cloud,
        environments=Environments(cache / "environments"),
        packages=Packages(cache / "packages", cloud.objects),
        runs_folder=cache / "glue-runs",
    )
    records = Records(cloud.settings.state_dir / "control-plane" / "glue-runs.sqlite")
    jobs = JobRuns(
        workshop,
        records,
        save=lambda: cloud.persistence.save(RUNS),
        changed=lambda: cloud.persistence.changed(RUNS),
    )
    requests.patch(jobs)
    cloud.persistence.register_elsewhere(RUNS, write=jobs.write, adopt=jobs.adopt)
    jobs.fail_interrupted()
    cloud.cache_users.append(lambda: jobs.needs(requests.defined(cloud.settings.account_id, cloud.settings.region)))
    cloud.on_start(jobs.recover)
    cloud.on_stop(jobs.shut_down)
