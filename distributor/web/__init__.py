"""What the service shows over HTTP: status for operators, editions and leaving for readers."""
