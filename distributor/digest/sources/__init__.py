"""Where editions come from: folders, Git repositories, and addresses on the web."""
