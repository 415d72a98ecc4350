"""What the end-to-end tests of real agents stand on: a scripted model, a loopback network, installers."""
