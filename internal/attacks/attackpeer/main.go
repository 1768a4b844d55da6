// Command attackpeer is a viewer made of the viewer library, for attacks on
// viewers: one process with one key that opens several sessions, as an app does.
package main

func main() {}
