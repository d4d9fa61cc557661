"""Pictures of designs."""
