group_web() { :; }
