/*
 * The makers of flows, by the file that holds them. Each writes one conversation (some: a few that belong together).
 */
#pragma once

#include "maker.h"

/* dns.c */
make_flow make_dns;
make_flow make_dns_forwarder;
make_flow make_dns_tcp;
make_flow make_mdns;
make_flow make_llmnr;
make_flow make_netbios_name;

/* http.c */
make_flow make_http_short;
make_flow make_http_open;
make_flow make_http;
make_flow make_http_bulk;
make_flow make_websocket;

/* tls.c */
make_flow make_tls_short;
make_flow make_tls_open;
make_flow make_tls12;
make_flow make_tls13;
make_flow make_tls12_bulk;
make_flow make_tls13_bulk;

/* management.c */
make_flow make_ntp;
make_flow make_ntp_peer;
make_flow make_dhcp;
make_flow make_dhcpv6;
make_flow make_ping;
make_flow make_unreachable;
make_flow make_arp;
make_flow make_neighbor;
make_flow make_snmp;
make_flow make_syslog;
make_flow make_ssdp;
make_flow make_small_udp;
make_flow make_syn_scan;
make_flow make_idle;

/* mail.c */
make_flow make_smtp;
make_flow make_pop3;
make_flow make_imap;

/* remote.c */
make_flow make_ssh;
make_flow make_rdp;

/* directory.c */
make_flow make_ldap;
make_flow make_kerberos_udp;
make_flow make_kerberos_tcp;

/* smb.c */
make_flow make_smb;

/* database.c */
make_flow make_mysql;
make_flow make_postgres;
make_flow make_tds;

/* quic.c */
make_flow make_quic;

/* voice.c */
make_flow make_sip_register;
make_flow make_sip_call;

/* odd.c */
make_flow make_ospf;
make_flow make_pim;
make_flow make_igmp;
make_flow make_vrrp;
make_flow make_eigrp;
make_flow make_esp;
make_flow make_sctp;
make_flow make_lldp;
make_flow make_stp;
make_flow make_fragments;
make_flow make_tcp_overlap;
make_flow make_tcp_tiny;
make_flow make_tcp_reversed;
make_flow make_tcp_gap;
make_flow make_tcp_no_syn;
make_flow make_tcp_reset;
