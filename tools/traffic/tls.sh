group_tls() { :; }
