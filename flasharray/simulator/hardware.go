package simulator

import (
	"fmt"
	"strings"
)

// driveBays is how many drives an array without a recorded list has.
const driveBays = 20

// drives divide the capacity of the array.
func (v *view) drives() recorded {
	capacity := intAt(v.frame.responses["arrays/space"][0], "capacity")
	list := make(recorded, driveBays)
	for n := range list {
		bytes := even(capacity, n, driveBays)
		list[n] = object{
			"name": fmt.Sprintf("CH0.BAY%d", n), "type": "SSD", "protocol": "NVMe", "status": "healthy", "details": nil,
			"capacity": bytes, "capacity_installed": bytes,
		}
	}
	return list
}

// hardware is the chassis, its drive bays and power supplies, and each controller
// with a fan, a temperature sensor and its recorded ports.
func (v *view) hardware() recorded {
	list := recorded{component("CH0", "chassis", 0)}
	for n := range driveBays {
		list = append(list, component(fmt.Sprintf("CH0.BAY%d", n), "drive_bay", n))
	}
	for n := range 2 {
		list = append(list, component(fmt.Sprintf("CH0.PWR%d", n), "power_supply", n))
	}
	for n, o := range v.frame.responses["controllers"] {
		name := textAt(o, "name")
		controller := component(name, "controller", n)
		controller["model"], controller["identify_enabled"] = o["model"], false
		sensor := component(name+".TMP0", "temp_sensor", 0)
		sensor["temperature"] = int64(25)
		list = append(list, controller, component(name+".FAN0", "cooling", 0), sensor)
	}
	for _, o := range v.frame.responses["network-interfaces"] {
		name, kind := strings.ToUpper(textAt(o, "name")), textAt(o, "interface_type")
		if !strings.Contains(name, ".") {
			continue // virtual
		}
		port := component(name, kind+"_port", int(name[len(name)-1]-'0'))
		port["speed"] = o["speed"]
		list = append(list, port)
	}
	return list
}

// connections are those that the counts of the recorded volumes and hosts say.
func (v *view) connections() recorded {
	d := &draft{tables: map[string][]object{}}
	for _, kind := range []string{"volumes", "hosts"} {
		c := v.collection(kind)
		for i := range c.size() {
			d.tables[kind] = append(d.tables[kind], c.item(i))
		}
	}
	d.makeConnections()
	return d.tables["connections"]
}

func component(name, kind string, index int) object {
	return object{
		"name": name, "type": kind, "index": int64(index), "status": "ok", "details": nil, "identify_enabled": nil,
		"model": nil, "serial": nil, "slot": nil, "speed": nil, "temperature": nil, "voltage": nil,
	}
}

// even is part i of a total that is split evenly over n, exactly.
func even(total int64, i, n int) int64 {
	return total*int64(i+1)/int64(n) - total*int64(i)/int64(n)
}
