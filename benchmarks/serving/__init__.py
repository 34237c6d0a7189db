"""What serving one prediction costs here and elsewhere: same model, same request, same work."""
