"""The command line: asks the operations and shows what came of it. Holds no rules of its own."""
