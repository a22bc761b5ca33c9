group_flow() { :; }
