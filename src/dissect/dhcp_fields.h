/* dhcp_fields.h: the fields of DHCP by name; DHCPv6 puts its values into the same ones. The order is that of the table
 * in dhcp.c.
 */
#ifndef SEINE_DISSECT_DHCP_FIELDS_H
#define SEINE_DISSECT_DHCP_FIELDS_H

enum dhcp_field { DHCP_TYPE, DHCP_HOST, DHCP_MAC, DHCP_OUI, DHCP_ID, DHCP_CLASS_ID, DHCP_REQUEST_IP };

#endif
