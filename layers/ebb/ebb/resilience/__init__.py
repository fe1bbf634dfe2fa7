"""What keeps one server's trouble from becoming everybody's: breakers, budgets, limits and hedge delays."""
