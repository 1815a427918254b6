"""From a checkout to objects in the artifact bucket, and from there to an environment and back.

Three rooms, each of which imports only those above it::

    building      a checkout becomes bytes; nothing is asked of AWS
      checkout      which commit, and whether it is unchanged
      build         every package's wheel and what lies beside it: wheels (what a wheel needs), wheelhouse (other
                    people's wheels), sbom (the bill of materials)
      manifest      a release: which bytes of every package belong together
      assembly      a checkout's release, whole: in memory, or in a folder to be published from

    bucket        the artifact bucket
      store         objects that are written once, and JSON documents
      publishing    a release is put into it
      index         the package index in it; serve brings it to pip
      records       what was deployed, and what of that is unfinished
      history       what was published, tried and ever deployed, and what of it is still needed
      pruning       what is not needed is deleted
      lease         one deployment of an environment at a time

    environment   an environment and a release
      deployment    what is deployed; deploy a checkout, destroy what holds no data
      rollout       bring an environment to a release, and back where that fails
      parameters    what its stacks and its warehouse are given
      plan          what a deployment would change
      resources     how AWS's resources are read and written, by type
      drift         what differs between AWS, the records and the release
      comparison    an environment beside a release
      smoke         a small month through what is deployed
"""
