"""What is wrong with a secret's rotation, and what mends it: behind ``rotators diagnose``, ``check`` and ``repair``."""
