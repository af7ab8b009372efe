"""The servers that stand beside coatcheck's: each grants ``client_credentials`` to the same machine."""
