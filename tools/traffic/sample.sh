group_sample() { :; }
