-- A run that somebody has paused: it keeps its checkpoint and has no trainer. (A value of its own migration: PostgreSQL lets a new one be used only after it is committed.)
ALTER TYPE "RunStatus" ADD VALUE 'paused' AFTER 'running';
