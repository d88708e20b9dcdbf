-- What an entry of the audit trail is about: kind is a noun (run, model, token, …), project_id none for what belongs to no project.
ALTER TABLE audit ADD COLUMN kind TEXT NOT NULL DEFAULT '';
ALTER TABLE audit ADD COLUMN project_id TEXT;
CREATE INDEX audit_by_project ON audit (project_id, id);
CREATE INDEX audit_by_member ON audit (member_id, id);

UPDATE audit SET kind = 'token' WHERE action IN ('create token', 'revoke token');
UPDATE audit SET kind = 'member' WHERE action IN ('create member', 'set password');
UPDATE audit SET kind = 'project' WHERE action IN ('create project', 'delete project');
UPDATE audit SET kind = 'project', project_id = subject WHERE action = 'set retention rules';
UPDATE audit SET kind = 'experiment' WHERE action = 'remove experiment for good';
UPDATE audit SET kind = 'run', project_id = (SELECT r.project_id FROM runs r WHERE r.id = audit.subject)
WHERE action IN ('delete run by rule', 'delete artifacts by rule', 'remove run for good');
