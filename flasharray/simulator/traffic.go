package simulator

import (
	"slices"
	"strings"
)

const (
	balanceSeconds = 30   // over which hosts/performance/balance counts operations
	frameBytes     = 2048 // of the payload of a Fibre Channel frame
)

// dataServices are the services of an interface that carry the array's load.
var dataServices = []string{"iscsi", "nvme-tcp", "nvme-roce", "scsi-fc", "nvme-fc"}

// Counters of network-interfaces/performance. Those that end with bytes or packets
// or frames are computed; the others are errors, of which there are none.
var (
	ethCounters = []string{
		"received_bytes", "received_packets", "transmitted_bytes", "transmitted_packets", "other_errors",
		"received_crc_errors", "received_frame_errors", "total_errors", "transmitted_carrier_errors",
		"transmitted_dropped_errors",
	}
	fcCounters = []string{
		"received_bytes", "received_frames", "transmitted_bytes", "transmitted_frames", "received_crc_errors",
		"received_link_failures", "received_loss_of_signal", "received_loss_of_sync", "total_errors",
		"transmitted_invalid_words",
	}
)

// interfaceSample is an interface's item of network-interfaces/performance: the
// load of the array, evenly over the enabled interfaces that carry data.
func (v *view) interfaceSample(i int, millis int64) object {
	interfaces := v.frame.responses["network-interfaces"]
	array := v.arraySample("arrays/performance", millis, false)
	position, of := 0, 0
	for n, o := range interfaces {
		if !carriesData(o) {
			continue
		}
		if n < i {
			position++
		}
		of++
	}
	var received, transmitted int64
	if carriesData(interfaces[i]) {
		received = even(intAt(array, "write_bytes_per_sec"), position, of)
		transmitted = even(intAt(array, "read_bytes_per_sec"), position, of)
	}
	kind := textAt(interfaces[i], "interface_type")
	o := object{"name": interfaces[i]["name"], "interface_type": kind, "time": millis, "eth": counters(ethCounters, nil), "fc": counters(fcCounters, nil)}
	switch kind {
	case "eth":
		o["eth"] = traffic(ethCounters, "packets", max(intAt(interfaces[i], "eth.mtu"), 1500), received, transmitted)
	case "fc":
		o["fc"] = traffic(fcCounters, "frames", frameBytes, received, transmitted)
	}
	return o
}

func carriesData(o object) bool {
	services, _ := o["services"].([]any)
	return o["enabled"] == true && slices.ContainsFunc(services, func(s any) bool {
		text, _ := s.(string)
		return slices.Contains(dataServices, text)
	})
}

func counters(names []string, value any) object {
	o := object{}
	for _, name := range names {
		o[name+"_per_sec"] = value
	}
	return o
}

func traffic(names []string, unit string, unitBytes, received, transmitted int64) object {
	o := counters(names, int64(0))
	o["received_bytes_per_sec"], o["transmitted_bytes_per_sec"] = received, transmitted
	o["received_"+unit+"_per_sec"] = (received + unitBytes - 1) / unitBytes
	o["transmitted_"+unit+"_per_sec"] = (transmitted + unitBytes - 1) / unitBytes
	return o
}

// replicationSample is a pod's item of pods/performance/replication: the mirrored
// writes of the array, evenly over its stretched pods.
func (v *view) replicationSample(pods collection, i int, millis int64) object {
	position, of := 0, 0
	for n := range pods.size() {
		if !isStretched(pods, n) {
			continue
		}
		if n < i {
			position++
		}
		of++
	}
	bytes := int64(0)
	if isStretched(pods, i) {
		bytes = even(intAt(v.arraySample("arrays/performance", millis, false), "mirrored_write_bytes_per_sec"), position, of)
	}
	name, _ := pods.field(i, "name")
	id, _ := pods.field(i, "id")
	o := object{"pod": object{"id": id, "name": name}, "time": millis, "total_bytes_per_sec": bytes}
	for _, kind := range []string{"continuous", "periodic", "resync", "sync"} {
		o[kind+"_bytes_per_sec"] = object{
			"from_remote_bytes_per_sec": int64(0), "to_remote_bytes_per_sec": int64(0), "total_bytes_per_sec": int64(0),
		}
	}
	sync := sub(o, "sync_bytes_per_sec")
	sync["to_remote_bytes_per_sec"], sync["total_bytes_per_sec"] = bytes, bytes
	return o
}

func isStretched(pods collection, i int) bool {
	arrays, _ := pods.field(i, "array_count")
	destroyed, _ := pods.field(i, "destroyed")
	n, _ := integer(arrays)
	return n > 1 && destroyed != true
}

// balance is hosts/performance/balance: the operations of each host evenly over
// the ports that its initiators can reach.
func (v *view) balance(hosts collection, chosen selection) recorded {
	var list recorded
	for i := range chosen.each {
		sample := v.performanceSample("hosts/performance", hosts, i, v.millis())
		operations := balanceSeconds * (intAt(sample, "reads_per_sec") + intAt(sample, "writes_per_sec"))
		paths := v.paths(hosts.item(i))
		most := (operations + int64(len(paths)) - 1) / max(int64(len(paths)), 1)
		for n, path := range paths {
			count := even(operations, n, len(paths))
			path["op_count"], path["fraction_relative_to_max"] = count, float64(count)/float64(max(most, 1))
			list = append(list, path)
		}
	}
	return list
}

// paths are the pairs of a host's initiator and a port of the same protocol.
func (v *view) paths(host object) recorded {
	var list recorded
	for _, kind := range []string{"iqn", "nqn", "wwn"} {
		initiators, _ := host[kind+"s"].([]any)
		for _, initiator := range initiators {
			for _, port := range v.frame.responses["ports"] {
				if port[kind] == nil {
					continue
				}
				from := object{"iqn": nil, "nqn": nil, "portal": nil, "wwn": nil}
				from[kind] = initiator
				list = append(list, object{"name": host["name"], "time": v.millis(), "initiator": from, "target": clone(port)})
			}
		}
	}
	return list
}

// timed are the recorded items of an endpoint, with the current time.
func (v *view) timed(path string) recorded {
	list := make(recorded, len(v.frame.responses[path]))
	for i, o := range v.frame.responses[path] {
		list[i] = clone(o)
		list[i]["time"] = v.millis()
	}
	return list
}

// sumRates adds the rates of all matching items, at any depth.
func sumRates(c collection, matched selection) object {
	t := nulled(c.item(matched.at(0)))
	for i := range matched.each {
		addRates(t, c.item(i))
	}
	return t
}

func addRates(sum, o object) {
	for name, value := range o {
		if inner, ok := value.(object); ok {
			addRates(sub(sum, name), inner)
			continue
		}
		if n, ok := integer(value); ok && strings.HasSuffix(name, "_per_sec") {
			was, _ := integer(sum[name])
			sum[name] = was + n
		}
	}
}
