"""What a trained model is worth: how well it ranks and means what it says, to whom it is fair, and what it earns."""
