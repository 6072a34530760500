// Package cinder holds the filters, weighers and rules of the Cinder scheduler.
package cinder
