"""`python -m local_cloud`: the server process in the foreground."""

from local_cloud.server import serve
from local_cloud.settings import Settings

if __name__ == "__main__":
    serve(Settings.create())
