// Package check finds what poolcast check and poolcast diff print: what will go
// wrong with configuration, arrays, names and volume types ([Run]), and what
// poolcast would change of cinder-volume's reports ([Diff]). It prints nothing.
package check
