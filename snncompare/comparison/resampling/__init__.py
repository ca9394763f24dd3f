"""What is drawn anew to learn how far a similarity would vary: conditions, animals, sessions, trials, network seeds."""
