module echo

go 1.24

require github.com/holdfast-host/holdfast/sdk/go v0.0.0

replace github.com/holdfast-host/holdfast/sdk/go => ../../../sdk/go
