// Tests of the operations come with them.
