-- What sqlc would make db.go from.

-- name: GetProducts :many
SELECT id, name, cents FROM cachemesh_products WHERE id = ANY(@ids::bigint[]);

-- name: SetPrice :exec
UPDATE cachemesh_products SET cents = @cents WHERE id = @id;
