group_http() { :; }
