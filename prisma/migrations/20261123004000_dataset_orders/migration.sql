-- What a data set of a person's own is to be made from, while it waits and is read, and how far that is.
ALTER TABLE "Dataset" ADD COLUMN "order" JSONB, ADD COLUMN "progress" JSONB;
