"""Cases, the model and the verdict: everything that judges. Pure, standard library only."""
