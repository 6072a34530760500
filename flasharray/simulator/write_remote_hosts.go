package simulator

import (
	"slices"
	"strings"
)

// podPeers are the drafts of the other arrays that the pod of a volume is
// stretched to.
func (d *draft) podPeers(volume object) []*draft { return d.mirrors("volumes", volume) }

// announce shows a connection of this array on the other arrays of the volume's
// pod, where the host is a remote one.
func (d *draft) announce(host, connection object) {
	volume, _ := d.find("volumes", "id", textAt(connection, "volume.id"))
	for _, peer := range d.podPeers(volume) {
		remote := peer.remoteHost(d.array.Name(), host)
		peer.store("connections", nil, newConnection(remote, volume, connection["lun"], connection["nsid"]))
	}
}

// remoteHost is a host of another array, as this one lists it.
func (d *draft) remoteHost(array string, host object) object {
	name := array + ":" + textAt(host, "name")
	if o, exists := d.find("hosts", "name", name); exists {
		return o
	}
	o := newHost(name)
	o["is_local"], o["vlan"] = false, nil
	o["port_connectivity"] = object{"status": "unknown", "details": "Unknown"}
	for _, kind := range []string{"iqns", "nqns", "wwns"} {
		o[kind] = cloneValue(host[kind])
	}
	d.store("hosts", nil, o)
	return o
}

// retract removes what announce has shown.
func (d *draft) retract(host, connection object) {
	volume, _ := d.find("volumes", "id", textAt(connection, "volume.id"))
	for _, peer := range d.podPeers(volume) {
		peer.forgetConnections(d.array.Name()+":"+textAt(host, "name"), func(c object) bool {
			return textAt(c, "volume.id") == textAt(volume, "id")
		})
	}
}

// forgetConnections removes connections of a remote host, and the host with the
// last one.
func (d *draft) forgetConnections(host string, which func(connection object) bool) {
	connections := d.where("connections", "host.name", host)
	left := slices.DeleteFunc(slices.Clone(connections), which)
	for _, c := range connections {
		if which(c) {
			d.store("connections", c, nil)
		}
	}
	if o, exists := d.find("hosts", "name", host); exists && len(left) == 0 && len(connections) > 0 {
		d.store("hosts", o, nil)
	}
}

// disconnectRemote ends the connection of a host of another array, on that array.
func (w *writing) disconnectRemote(host, volume object) bool {
	array, name, _ := strings.Cut(textAt(host, "name"), ":")
	for _, peer := range w.podPeers(volume) {
		if local, exists := peer.find("hosts", "name", name); exists && strings.EqualFold(peer.array.Name(), array) {
			return peer.disconnect(local, volume)
		}
	}
	return false
}

// joinPod shows the connections of a pod's volumes on an array that joins it, and
// those of this array there.
func (d *draft) joinPod(pod string) {
	for _, c := range slices.Clone(d.tables["connections"]) {
		host, exists := d.find("hosts", "name", textAt(c, "host.name"))
		if exists && !isRemote(host) && podOf(textAt(c, "volume.name")) == pod {
			d.announce(host, c)
		}
	}
}

// forgetRemoteHosts removes the connections that the hosts of an array have with
// the volumes of a pod.
func (d *draft) forgetRemoteHosts(pod, array string) {
	for _, host := range slices.Clone(d.tables["hosts"]) {
		if isRemote(host) && strings.HasPrefix(strings.ToLower(textAt(host, "name")), strings.ToLower(array)+":") {
			d.forgetConnections(textAt(host, "name"), func(c object) bool { return podOf(textAt(c, "volume.name")) == pod })
		}
	}
}
