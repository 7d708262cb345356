-- What ids of people are mixed with where they are kept as stand-ins only.
CREATE TABLE salts (
    agency_id {uuid} NOT NULL PRIMARY KEY,
    salt {blob} NOT NULL
);
