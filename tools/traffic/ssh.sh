group_ssh() { :; }
