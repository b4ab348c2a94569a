"""What judges: cases, the model and the verdict. Pure, standard library only."""
