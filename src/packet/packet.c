/* packet.c: names of the tunnels a packet may have come through, as they stand in a session's protocol list. */
#include "packet/packet.h"

static const char *const names[TUNNEL_KINDS] = {
    [TUNNEL_GRE] = "gre",       [TUNNEL_VXLAN] = "vxlan", [TUNNEL_VXLAN_GPE] = "vxlan-gpe",
    [TUNNEL_GENEVE] = "geneve", [TUNNEL_GTP] = "gtp",     [TUNNEL_MPLS] = "mpls",
    [TUNNEL_PPP] = "ppp",       [TUNNEL_PPPOE] = "pppoe",
};

const char *tunnel_name(enum tunnel t) {
    return (unsigned)t < TUNNEL_KINDS ? names[t] : NULL;
}
