group_ntp() { :; }
