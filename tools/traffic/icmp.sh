group_icmp() { :; }
