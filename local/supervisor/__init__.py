"""Everything of the local cloud brought up, watched, told about and taken down as one."""
