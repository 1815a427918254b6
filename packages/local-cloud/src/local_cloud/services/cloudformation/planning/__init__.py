"""What a deployment is to bring about, and what that changes."""
