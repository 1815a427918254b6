"""S3's operations, and what they share."""
