"""The artifact bucket: releases, their package index, and the records of what was deployed."""
