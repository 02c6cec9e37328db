SELECT DISTINCT person.id, name, person.dateTime - person.dateTime % 10000 AS starttime
FROM person JOIN auction ON seller = person.id AND person.dateTime // 10000 = auction.dateTime // 10000
