package simulator

import "fmt"

// Limits of a connection's address on its host.
const maxLUN = 4095

func newConnection(host, volume object, lun, nsid any) object {
	return object{
		"host": object{"name": host["name"]}, "host_group": object{"name": nil}, "volume": referenceTo(volume),
		"protocol_endpoint": nullReference(), "lun": lun, "nsid": nsid,
	}
}

// connect connects every volume with every host.
func connect(w *writing) ([]object, error) {
	hosts, err := w.named("hosts", "host_")
	if err != nil {
		return nil, err
	}
	volumes, err := w.live("volumes", "volume_")
	if err != nil {
		return nil, err
	}
	return eachPair(hosts, volumes, w.connect)
}

func (w *writing) connect(host, volume object) (object, error) {
	if isRemote(host) {
		return nil, refuse(textAt(host, "name"), "Host is not local.")
	}
	taken := map[int64]bool{}
	for _, c := range w.where("connections", "host.name", textAt(host, "name")) {
		if textAt(c, "volume.id") == textAt(volume, "id") {
			return nil, refuse(textAt(volume, "name"), "Connection already exists.")
		}
		taken[intAt(c, "lun")], taken[intAt(c, "nsid")] = true, true
	}
	address := int64(1)
	for taken[address] {
		address++
	}
	if given, ok := integer(w.body["lun"]); ok {
		address = given
	}
	if address < 1 || address > maxLUN || taken[address] {
		return nil, refuse(textAt(host, "name"), "The LUN %d is not available: it must be from 1 to %d and not in use.", address, maxLUN)
	}
	o := newConnection(host, volume, address, nil)
	if w.namespaces(host) {
		o = newConnection(host, volume, nil, address)
	}
	w.put("connections", nil, o)
	w.announce(host, o)
	return o, nil
}

// namespaces reports that volumes of a host have namespace ids: with NVMe, since
// Purity 6.6.0.
func (w *writing) namespaces(host object) bool {
	nqns, _ := host["nqns"].([]any)
	return len(nqns) > 0 && versionAtLeast(textAt(w.array.recordedArray(), "version"), 6, 6)
}

// disconnect ends the connection of every volume with every host.
func disconnect(w *writing) ([]object, error) {
	hosts, err := w.named("hosts", "host_")
	if err != nil {
		return nil, err
	}
	volumes, err := w.named("volumes", "volume_")
	if err != nil {
		return nil, err
	}
	return nil, forPairs(hosts, volumes, func(host, volume object) error {
		end := w.disconnect
		if isRemote(host) {
			end = w.disconnectRemote
		}
		if !end(host, volume) {
			return refuse(textAt(volume, "name"), "Connection does not exist.")
		}
		return nil
	})
}

func (d *draft) disconnect(host, volume object) bool {
	for _, c := range d.where("connections", "host.name", textAt(host, "name")) {
		if textAt(c, "volume.id") == textAt(volume, "id") {
			d.put("connections", c, nil)
			d.retract(host, c)
			return true
		}
	}
	return false
}

// versionAtLeast reports whether a version, such as 6.6.11, is not older than
// major.minor.
func versionAtLeast(version string, major, minor int) bool {
	var have [2]int
	if _, err := fmt.Sscanf(version, "%d.%d", &have[0], &have[1]); err != nil {
		return false
	}
	return have[0] > major || have[0] == major && have[1] >= minor
}
