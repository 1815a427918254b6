"""Where moto finds the service."""

from local_cloud.services.redshift.serverless.responses import ServerlessResponse

url_bases = [r"https?://redshift-serverless\.(.+)\.amazonaws\.com"]
url_paths = {"{0}/$": ServerlessResponse.dispatch}
