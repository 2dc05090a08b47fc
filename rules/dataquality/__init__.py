"""What is wrong with the data itself, said instead of guessed."""
