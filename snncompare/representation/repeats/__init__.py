"""What repeats of the same condition allow: bootstrap samples and halves of the trials."""
