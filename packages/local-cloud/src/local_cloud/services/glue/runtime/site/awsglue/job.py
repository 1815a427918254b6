"""The job of a Glue script: init() and commit(). Bookmarks are not kept: a job reads all of its input each time."""

from typing import Any, Dict, Optional

from awsglue.context import GlueContext


class Job:
    """What `Job(glueContext)` gives a script."""

    def __init__(self, glue_context: GlueContext) -> None:
        self._context = glue_context
        self._name: Optional[str] = None

    def init(self, job_name: str, args: Optional[Dict[str, Any]] = None) -> None:
        """Begin. Says so in the log when the run asks for a bookmark, which has no effect here."""
        self._name = job_name
        if (args or {}).get("job_bookmark_option") == "job-bookmark-enable":
            self._context.get_logger().warning("job bookmarks are not kept here: all input is read")

    def isInitialized(self) -> bool:
        return self._name is not None

    def commit(self) -> None:
        """End. There is no bookmark to move."""
        if self._name is None:
            raise RuntimeError("Job.commit() without Job.init()")
