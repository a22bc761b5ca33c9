group_dhcp() { :; }
