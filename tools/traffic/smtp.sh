group_smtp() { :; }
