"""What a program may try so as not to be seen."""
